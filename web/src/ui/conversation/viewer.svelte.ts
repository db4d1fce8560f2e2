/** Opens the viewer of pictures, which is fetched when it is first needed. */
import type { FileInfo, Message } from '../../api/model';
import { dialogs } from '../base/dialogs.svelte';

class ViewerState {
  file = $state.raw<FileInfo>();
  message = $state.raw<Message>();

  async show(file: FileInfo, message: Message): Promise<void> {
    this.file = file;
    this.message = message;
    dialogs.show((await import('./Viewer.svelte')).default);
  }
}

export const viewer = new ViewerState();
