"""Studies that are made: phantoms and volumes written as scanners and archives write them."""
