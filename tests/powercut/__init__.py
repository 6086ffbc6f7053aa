"""`make powercut`: cuts the power of a virtual machine during runs, and resumes them."""
