"""What happens in each demonstration place."""
