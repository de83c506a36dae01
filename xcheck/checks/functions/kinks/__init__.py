"""What is asked again where differences meet a kink: conventions at ties, and kinks that were not seen."""
