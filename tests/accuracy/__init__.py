"""How far the math library is from the truth: references, arguments worth trying, measurements."""
