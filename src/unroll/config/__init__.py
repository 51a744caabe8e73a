"""The frozen configuration of one run; importing one section imports no other."""
