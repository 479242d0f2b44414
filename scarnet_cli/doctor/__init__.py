"""What is missing or wrong on this machine, for any run or for that of chosen profiles."""
