"""The page: screens for people, made of the same API that programs use.

A screen is a template and a module of plain JavaScript; both name nothing on another host, and nothing inline.
"""
