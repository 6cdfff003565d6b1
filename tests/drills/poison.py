DRILLS = ()
