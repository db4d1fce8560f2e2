import { connect } from './bridge';
import { start } from './ui/start';

start(connect);
