"""Hold, for each operation, what Adobe's OpenAPI document says about a submission's body.

Charter: one module an operation (the two composites of objects share one), each with one `Table`. Pure, and told
from the document alone; what the document says in prose only stands beside the fields it is about. ``bodies`` is the
only caller and knows nothing of any particular operation.
"""
