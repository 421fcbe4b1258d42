"""List of runs: filtered, sorted, grouped, with eyes that show and hide them."""
