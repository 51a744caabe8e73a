"""How next steps are drawn, a file for each kind of head, see `unroll.generation.draw`."""
