"""Pure computation of the projects room: the fold of facts into states, lights, regressions."""
