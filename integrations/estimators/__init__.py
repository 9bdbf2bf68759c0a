"""scikit-learn and LightGBM: a fitted estimator dissolves, when recorded, into ops over its parameters."""
