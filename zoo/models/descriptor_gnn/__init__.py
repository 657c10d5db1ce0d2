"""Message passing over descriptors."""
