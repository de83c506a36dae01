"""Where J is not smooth: near a kink, at several kinks, on a stair."""
