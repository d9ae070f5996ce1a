"""Courses, quizzes and learning as plain values; no clock, no database, no wire."""
