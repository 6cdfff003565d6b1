"""What venues offer: places, activities, weekly schedules, and the sessions they plan."""
