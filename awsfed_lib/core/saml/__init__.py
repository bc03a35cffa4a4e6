"""The application, its claims and metadata, and the proof of a sign-in."""
