"""Systems that the method was not tuned on: rates of false verdicts, the bad ones included."""
