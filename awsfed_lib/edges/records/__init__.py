"""Records of runs, their journal, lock and pages."""
