"""Keys: which columns tell rows apart, and which point to another table or to another row."""
