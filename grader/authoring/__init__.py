"""What an instructor makes an assignment with."""
