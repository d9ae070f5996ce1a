"""Identity's rules: values in, values out."""
