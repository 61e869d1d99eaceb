module example.com/validate

go 1.19
