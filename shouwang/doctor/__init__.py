"""`shouwang doctor`: what would lose messages here, in plain words. One file a subject."""
