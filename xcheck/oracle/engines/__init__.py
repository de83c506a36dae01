"""Engines evaluate differences of the loss; estimators turn differences into derivatives with error bars."""
