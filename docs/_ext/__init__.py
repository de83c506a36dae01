"""What the site takes from the code when it is built, so that no page can lag behind it."""
