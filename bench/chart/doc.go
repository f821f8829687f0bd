// Package chart draws charts as SVG that follow the light and dark of the page they stand in, and have colors of their own
// elsewhere. It knows axes, lines and bars, and nothing of what they show.
//
// Begin with New, add lines or bars, and end with SVG. It is not for large numbers of points: each is drawn.
package chart
