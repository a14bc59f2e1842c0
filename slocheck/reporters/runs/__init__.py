"""Reports on several runs: lists, histories and comparisons, each as text and for machines."""
