"""Organisations, users, posts, roles and data scope.

Offers the rooms above: the organisation tree, `actor.UserActor` (who may do what where) and role presets.
"""
