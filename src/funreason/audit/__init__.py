"""What each scorer lets pass: gold answers, and answers with one planted fault per kind. `funreason audit`."""
