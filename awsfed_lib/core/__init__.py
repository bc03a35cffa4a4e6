"""What is computed: no input, no output, no clock."""
