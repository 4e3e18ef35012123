"""What every adapter of the log must do, run on each of them."""
