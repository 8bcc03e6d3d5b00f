"""What people type or upload to register a cloud, read and checked before anything is done with it."""
