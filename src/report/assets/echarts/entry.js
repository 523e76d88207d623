// The parts of Apache ECharts that the report draws with.
import {BarChart, LineChart, ParallelChart, ScatterChart} from 'echarts/charts';
import {
  BrushComponent, DataZoomInsideComponent, GridComponent, MarkLineComponent, ParallelComponent, TooltipComponent,
} from 'echarts/components';
import {init, use} from 'echarts/core';
import {SVGRenderer} from 'echarts/renderers';

use([
  BarChart, BrushComponent, DataZoomInsideComponent, GridComponent, LineChart, MarkLineComponent, ParallelChart,
  ParallelComponent, ScatterChart, SVGRenderer, TooltipComponent,
]);

export {init};
