export * as dates from 'date-fns';
export * as lodash from 'lodash-es';
