"""Estimators: from differences of the loss to derivatives, each with an error bar."""
