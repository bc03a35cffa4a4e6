"""Where awsfed meets the world: Entra ID, AWS, and the records on disk."""
