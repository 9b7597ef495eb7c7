import '@backstage/cli/asset-types';
import '@backstage/ui/css/styles.css';
import { createApp } from '@backstage/frontend-defaults';
import ReactDOM from 'react-dom/client';

// Every plugin among this package's dependencies is found by itself (app.packages).
ReactDOM.createRoot(document.getElementById('root')!).render(
  createApp().createRoot(),
);
