"""ScarNet pipeline: from late gadolinium enhancement MRI to the scar burden of the left ventricle."""

__version__ = "0.1.0"
