"""Expressions: the graph of a traced function and the nodes that record it."""

from jacobi.expressions.evaluate import evaluate
from jacobi.expressions.graph import Graph, StrangerError, owner
from jacobi.expressions.node import Node
from jacobi.expressions.step import Operation, Step

__all__ = ["Graph", "Node", "Operation", "Step", "StrangerError", "evaluate", "owner"]
