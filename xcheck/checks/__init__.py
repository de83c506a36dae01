"""One check, from what is handed over to the report: of declared networks, and of people's own functions."""
