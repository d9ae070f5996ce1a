"""What the performance claims are measured with: ratios against a baseline taken in the same run."""
