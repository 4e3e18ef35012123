"""For tests and demonstrations: what a host may use to try its journal against something real."""
