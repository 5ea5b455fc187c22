"""Reserve projects: readiness, offering file, review, ranking, yearly demand, joint starts."""
