"""The numbers of a wrong claim beside the right ones: what relation between two matrices names a slip."""
