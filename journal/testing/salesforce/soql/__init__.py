"""The part of SOQL that the stand-in knows: its words, its sentences, and what they find."""
