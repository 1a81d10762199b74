module example.com/berth/gosuites

go 1.26.0

require example.com/berth v0.0.0

replace example.com/berth => ../
