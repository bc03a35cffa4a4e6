"""What a person at a live notebook gets beside what every run does: values of a parameter file, typed approval, cards of errors."""
