"""The stand-in org, over a real socket, and tried by clients of Salesforce that others wrote."""
