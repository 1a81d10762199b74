// Package chart draws throughput over a property of the path, a line for each
// stack, as SVG.
package chart

import (
	"fmt"
	"image/color"
	"io"
	"math"
	"slices"
	"strconv"

	"gonum.org/v1/plot"
	"gonum.org/v1/plot/plotter"
	"gonum.org/v1/plot/vg"
	"gonum.org/v1/plot/vg/draw"
	"gonum.org/v1/plot/vg/vgsvg"
)

// Chart is what is drawn. X and Y have logarithmic scales.
type Chart struct {
	Title, X, Y string
	Lines       []Line
	// Ticks are the values of X that are named.
	Ticks []float64
	// LegendBelow puts the names of lines to the bottom, where there is room.
	LegendBelow bool
}

// Line is a stack's.
type Line struct {
	Name   string
	Points []Point
}

// Point is a median with the extremes of its runs.
type Point struct{ X, Y, Low, High float64 }

// palette are colors that remain apart for the color-blind (Okabe and Ito), on
// white and on black.
var palette = []color.Color{
	color.RGBA{0, 114, 178, 255},
	color.RGBA{213, 94, 0, 255},
	color.RGBA{0, 158, 115, 255},
	color.RGBA{204, 121, 167, 255},
}

// The size of a chart.
const (
	width  = 7 * vg.Inch
	height = 4 * vg.Inch
)

// Write draws the chart.
func (c *Chart) Write(w io.Writer) error {
	p := plot.New()
	p.Title.Text, p.X.Label.Text, p.Y.Label.Text = c.Title, c.X, c.Y
	p.X.Scale, p.Y.Scale = plot.LogScale{}, plot.LogScale{}
	var ticks []plot.Tick
	for _, x := range slices.Compact(slices.Sorted(slices.Values(c.Ticks))) {
		ticks = append(ticks, plot.Tick{Value: x, Label: strconv.FormatFloat(x, 'g', 6, 64)})
	}
	p.X.Tick.Marker = plot.ConstantTicks(ticks)
	p.Y.Tick.Marker = plainTicks{}
	p.Add(plotter.NewGrid())
	p.Legend.Top, p.Legend.XOffs, p.Legend.Padding = !c.LegendBelow, -vg.Points(12), vg.Points(3)
	for i, l := range c.Lines {
		if err := l.add(p, palette[i%len(palette)], shapeOf(i)); err != nil {
			return fmt.Errorf("%s: %w", l.Name, err)
		}
	}
	p.X.Min, p.X.Max = p.X.Min/1.1, p.X.Max*1.1
	p.Y.Min, p.Y.Max = p.Y.Min/1.5, p.Y.Max*1.5
	canvas := vgsvg.New(width, height)
	p.Draw(draw.New(canvas))
	_, err := canvas.WriteTo(w)
	return err
}

// shapeOf tells lines apart without color.
func shapeOf(i int) draw.GlyphDrawer {
	shapes := []draw.GlyphDrawer{draw.CircleGlyph{}, draw.SquareGlyph{}, draw.TriangleGlyph{}, draw.CrossGlyph{}}
	return shapes[i%len(shapes)]
}

// errorPoints are points with their extremes, as plotter wants them.
type errorPoints struct {
	plotter.XYs
	plotter.YErrors
}

func (l *Line) add(p *plot.Plot, c color.Color, shape draw.GlyphDrawer) error {
	if len(l.Points) == 0 {
		return nil
	}
	var data errorPoints
	for _, pt := range l.Points {
		data.XYs = append(data.XYs, plotter.XY{X: pt.X, Y: pt.Y})
		data.YErrors = append(data.YErrors, struct{ Low, High float64 }{pt.Y - pt.Low, pt.High - pt.Y})
	}
	line, points, err := plotter.NewLinePoints(data.XYs)
	if err != nil {
		return err
	}
	bars, err := plotter.NewYErrorBars(data)
	if err != nil {
		return err
	}
	line.Color, line.Width = c, vg.Points(1.5)
	points.Color, points.Shape, points.Radius = c, shape, vg.Points(3)
	bars.Color = c
	p.Add(line, points, bars)
	p.Legend.Add(l.Name, line, points)
	return nil
}

// plainTicks are the decades with 2 and 5 times each, as plain numbers.
type plainTicks struct{}

// Ticks implements plot.Ticker.
func (plainTicks) Ticks(low, high float64) (ticks []plot.Tick) {
	for e := math.Floor(math.Log10(low)); e <= math.Ceil(math.Log10(high)); e++ {
		for _, m := range []float64{1, 2, 5} {
			if v := m * math.Pow(10, e); v >= low && v <= high {
				ticks = append(ticks, plot.Tick{Value: v, Label: strconv.FormatFloat(v, 'g', 3, 64)})
			}
		}
	}
	return ticks
}
