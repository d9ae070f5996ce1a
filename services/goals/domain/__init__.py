"""The rules of goals: values in, values out."""
